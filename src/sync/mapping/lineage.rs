//! Where the values of a table's columns come from in this Odoo.

use crate::state::Lineage;
use crate::sync::mapping::feed::Mapping;
use crate::warehouse::{Source, SqlType};

/// That of each column of a mapping's table.
pub fn lineage(mapping: &Mapping) -> Vec<Lineage> {
    let describe = |(name, sql_type): (&str, SqlType)| {
        let mapped = mapping.columns.iter().find(|mapped| mapped.column.name == name);
        let fields = mapped
            .map(|mapped| mapped.values.origins().map(|origin| origin.path()).collect::<Vec<_>>());
        let kind = match mapping.dataset.column(name).map(|column| column.source) {
            _ if name == "id" => "key",
            Some(Source::Reference { .. }) => "reference",
            Some(Source::Generated(_) | Source::Refreshed(_)) => "generated",
            Some(Source::Inherited { .. }) => "inherited",
            Some(Source::Kept(_)) => "kept",
            Some(_) => "field",
            None => "bookkeeping",
        };
        let field = match name {
            "id" => Some("id".to_owned()),
            _ => fields.filter(|fields| !fields.is_empty()).map(|fields| fields.join(", ")),
        };
        let model = field.as_ref().map(|_| mapping.model.clone());
        let named = |text: &str| Some(text.to_owned());
        [named(name), named(sql_type.name()), model, field, named(kind)]
    };
    mapping.dataset.all_columns().into_iter().map(describe).collect()
}
