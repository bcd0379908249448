-- The columns of the warehouse's tables, but for deleted_at and synced_at. A test compares them.
CREATE TYPE odoo_pos_order AS (
    channel text, id bigint, reference text, ordered_at timestamp with time zone, business_date date, hour bigint,
    branch_id bigint, session_id bigint, customer_id bigint, employee_id bigint, user_id bigint, team_id bigint,
    website_id bigint, source text, campaign text, medium text, state text, is_refund boolean, order_key bigint,
    amount_total numeric, amount_tax numeric, amount_untaxed numeric, amount_paid numeric, amount_return numeric, currency text,
    currency_rate numeric, company_currency text, amount_total_company numeric, amount_untaxed_company numeric,
    company_id bigint, odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_product AS (
    id bigint, template_id bigint, name text, sku text, barcode text, category_id bigint, brand_id bigint,
    product_type text, is_storable boolean, list_price numeric, standard_price numeric, margin numeric,
    margin_percent numeric, currency text, cost_company_id bigint, uom text, weight numeric, volume numeric,
    sale_ok boolean, purchase_ok boolean, available_in_pos boolean, pos_category_ids bigint[], tracking text,
    company_id bigint, active boolean, odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_partner AS (
    id bigint, name text, is_company boolean, parent_id bigint, is_customer boolean, is_vendor boolean, email text,
    phone text, mobile text, street text, street2 text, city text, zip text, state text, country_code text, vat text,
    ref text, lang text, tags text[], salesperson_id bigint, team_id bigint, created_at timestamp with time zone,
    active boolean, odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_employee AS (
    id bigint, name text, department_id bigint, job_id bigint, work_location_id bigint, manager_id bigint,
    coach_id bigint, user_id bigint, company_id bigint, code text, work_email text, work_phone text, country text,
    gender text, birthday date, age bigint, hire_date date, tenure_years numeric, departure_date date, active boolean,
    odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_quant AS (
    id bigint, product_id bigint, location_id bigint, warehouse_id bigint, lot text, owner_id bigint,
    quantity numeric, reserved numeric, available numeric, unit_cost numeric, value numeric,
    in_date timestamp with time zone, currency text, company_id bigint, odoo_write_date timestamp with time zone
);
CREATE TYPE odoo_promotion AS (
    id bigint, name text, program_type text, trigger text, applies_on text, date_from date, date_to date,
    max_usage bigint, currency text, company_id bigint, rewards text, active boolean,
    odoo_write_date timestamp with time zone
);
COMMENT ON TYPE odoo_pos_order IS 'a row of all_sales as Odoo has it now, without synced_at';
COMMENT ON TYPE odoo_product IS 'a row of dim_products as Odoo has it now, without deleted_at and synced_at';
COMMENT ON TYPE odoo_partner IS 'a row of dim_customers as Odoo has it now, without deleted_at and synced_at';
COMMENT ON TYPE odoo_employee IS 'a row of dim_employees as Odoo has it now, without deleted_at and synced_at';
COMMENT ON TYPE odoo_quant IS 'a row of fact_stock as Odoo has it now, without synced_at';
COMMENT ON TYPE odoo_promotion IS 'a row of dim_promotions as Odoo has it now, without deleted_at and synced_at';

CREATE FUNCTION odoo_live(
    target text, since timestamptz DEFAULT NULL, filters odoo_domain DEFAULT '[]', max_rows bigint DEFAULT NULL,
    server text DEFAULT NULL
) RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp SET jit TO off
    AS 'MODULE_PATHNAME', 'odoo_live_wrapper';
COMMENT ON FUNCTION odoo_live(text, timestamptz, odoo_domain, bigint, text) IS
    'rows of a table of the warehouse as Odoo has them now, in JSON; filters is a domain over the table''s columns';

CREATE FUNCTION odoo_pos_orders(
    since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, branch_id bigint DEFAULT NULL,
    state text DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_pos_order
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('all_sales', NULL,
            CASE WHEN $1 IS NULL THEN '[]' ELSE odoo_domain('ordered_at', '>=', $1) END
            & CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('ordered_at', '<', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('branch_id', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('state', '=', $4) END,
            $5, $6) AS line, json_populate_record(NULL::odoo_pos_order, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_pos_orders(timestamptz, timestamptz, bigint, text, bigint, text) IS
    'orders of the points of sale as Odoo has them now, in the columns of all_sales; since and until are of ordered_at';

CREATE FUNCTION odoo_products(
    since timestamptz DEFAULT NULL, search text DEFAULT NULL, category_id bigint DEFAULT NULL, sku text DEFAULT NULL,
    barcode text DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_product
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_products', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('name', 'ilike', $2) | odoo_domain('sku', 'ilike', $2)
                | odoo_domain('barcode', 'ilike', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('category_id', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('sku', '=', $4) END
            & CASE WHEN $5 IS NULL THEN '[]' ELSE odoo_domain('barcode', '=', $5) END,
            $6, $7) AS line, json_populate_record(NULL::odoo_product, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_products(timestamptz, text, bigint, text, text, bigint, text) IS
    'products as Odoo has them now, in the columns of dim_products; since is when they changed';

CREATE FUNCTION odoo_partners(
    since timestamptz DEFAULT NULL, search text DEFAULT NULL, is_customer boolean DEFAULT NULL,
    is_vendor boolean DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_partner
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_customers', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('name', 'ilike', $2) | odoo_domain('email', 'ilike', $2)
                | odoo_domain('phone', 'ilike', $2) | odoo_domain('ref', 'ilike', $2)
                | odoo_domain('vat', 'ilike', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('is_customer', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('is_vendor', '=', $4) END,
            $5, $6) AS line, json_populate_record(NULL::odoo_partner, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_partners(timestamptz, text, boolean, boolean, bigint, text) IS
    'partners as Odoo has them now, in the columns of dim_customers; since is when they changed';

CREATE FUNCTION odoo_employees(
    since timestamptz DEFAULT NULL, department_id bigint DEFAULT NULL, max_rows bigint DEFAULT NULL,
    server text DEFAULT NULL
) RETURNS SETOF odoo_employee
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_employees', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('department_id', '=', $2) END,
            $3, $4) AS line, json_populate_record(NULL::odoo_employee, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_employees(timestamptz, bigint, bigint, text) IS
    'employees as Odoo has them now, in the columns of dim_employees; since is when they changed';

CREATE FUNCTION odoo_stock(
    since timestamptz DEFAULT NULL, product_id bigint DEFAULT NULL, location_id bigint DEFAULT NULL,
    warehouse_id bigint DEFAULT NULL, max_rows bigint DEFAULT NULL, server text DEFAULT NULL
) RETURNS SETOF odoo_quant
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('fact_stock', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('product_id', '=', $2) END
            & CASE WHEN $3 IS NULL THEN '[]' ELSE odoo_domain('location_id', '=', $3) END
            & CASE WHEN $4 IS NULL THEN '[]' ELSE odoo_domain('warehouse_id', '=', $4) END,
            $5, $6) AS line, json_populate_record(NULL::odoo_quant, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_stock(timestamptz, bigint, bigint, bigint, bigint, text) IS
    'stock as Odoo has it now, in the columns of fact_stock; since is when it changed';

CREATE FUNCTION odoo_promotions(
    since timestamptz DEFAULT NULL, active boolean DEFAULT NULL, max_rows bigint DEFAULT NULL,
    server text DEFAULT NULL
) RETURNS SETOF odoo_promotion
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT r.* FROM odoo_live('dim_promotions', $1,
            CASE WHEN $2 IS NULL THEN '[]' ELSE odoo_domain('active', '=', $2) END,
            $3, $4) AS line, json_populate_record(NULL::odoo_promotion, line::json) AS r;
    END;
COMMENT ON FUNCTION odoo_promotions(timestamptz, boolean, bigint, text) IS
    'promotions as Odoo has them now, in the columns of dim_promotions; since is when they changed';
