use super::Entity;
use super::dataset::*;

pub const ENTITY: Entity = Entity { name: "products", datasets: &[PRODUCTS] };

/// A variant is readable together with its template's fields (`_inherits`).
const PRODUCTS: Dataset = Dataset {
    table: "dim_products",
    about: "Product variants, each with its template's fields",
    // Until 16 a change of the template leaves the write_date of its variants.
    feeds: &[all_and(&["product.product"], &["product_tmpl_id"])],
    kind: Kind::Dimension,
    extent: Extent::Changed,
    owner: None,
    columns: &[
        bigint("template_id", "product_tmpl_id"),
        text("name", "name"),
        text("sku", "default_code"),
        text("barcode", "barcode"),
        reference("category_id", "categ_id", "dim_categories"),
        reference("brand_id", "product_brand_id", "dim_brands"),
        // 15 to 17 keep the choice in detailed_type; type is derived there.
        text("product_type", "detailed_type|type"),
        // 18 made a flag of what was the type "product" before.
        boolean("is_storable", "is_storable|detailed_type=product|type=product"),
        numeric("list_price", "list_price"),
        numeric("standard_price", "standard_price"),
        generated("margin", SqlType::Numeric, "list_price - standard_price"),
        generated(
            "margin_percent",
            SqlType::Numeric,
            "round((list_price - standard_price) / nullif(list_price, 0) * 100, 2)",
        ),
        // Of the sales price.
        text("currency", "currency_id.name"),
        company("cost_company_id", "company_id"),
        text("uom", "uom_id.name"),
        numeric("weight", "weight"),
        numeric("volume", "volume"),
        boolean("sale_ok", "sale_ok"),
        boolean("purchase_ok", "purchase_ok"),
        boolean("available_in_pos", "available_in_pos"),
        bigint_array("pos_category_ids", "pos_categ_ids|pos_categ_id"),
        text("tracking", "tracking"),
        bigint("company_id", "company_id"),
    ],
};
