//! How a declaration says where in Odoo a value comes from.
//!
//! `uom_id|product_uom_id.name` is the `name` of the record that `uom_id` points to, or
//! `product_uom_id` where there is no `uom_id`. `is_storable|type=product` is a boolean: the
//! field `is_storable`, or where there is none, whether `type` is `product`.

/// One step: the names that a field has had, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub aliases: Vec<Alias>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub field: &'static str,
    /// The value that makes the column true.
    pub equals: Option<&'static str>,
}

/// Fields from the dataset's own model on; every one but the last is relational.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub steps: Vec<Step>,
}

impl Path {
    /// Reads a path; the text of the error says what is wrong with the declaration.
    pub fn parse(text: &'static str) -> Result<Path, String> {
        let steps = text.split('.').map(parse_step).collect::<Result<Vec<_>, _>>()?;
        let inner = steps.iter().rev().skip(1).flat_map(|step| &step.aliases);
        if inner.into_iter().any(|alias| alias.equals.is_some()) {
            return Err(format!("{text}: only the last step may compare"));
        }
        Ok(Path { steps })
    }
}

fn parse_step(text: &'static str) -> Result<Step, String> {
    let aliases = text.split('|').map(|alias| {
        let (field, equals) = match alias.split_once('=') {
            Some((field, value)) => (field, Some(value)),
            None => (alias, None),
        };
        let name_like = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match !field.is_empty() && field.chars().all(name_like) {
            true => Ok(Alias { field, equals }),
            false => Err(format!("\"{field}\" is no field name")),
        }
    });
    Ok(Step { aliases: aliases.collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_aliases_and_comparisons() {
        let path = Path::parse("a|b.c=x").unwrap();
        let fields = |step: &Step| step.aliases.iter().map(|alias| alias.field).collect::<Vec<_>>();
        assert_eq!(fields(&path.steps[0]), ["a", "b"]);
        assert_eq!(path.steps[1].aliases[0].equals, Some("x"));
        for wrong in ["", "a..b", "a|", "a=x.b", "a b"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }
}
