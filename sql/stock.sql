-- The schema that a server fills; without a name that of the only server.
CREATE FUNCTION odoo_etl.schema_of(server text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
    schemas text[];
BEGIN
    SELECT array_agg(s.srvname ORDER BY s.srvname),
           array_agg(coalesce((SELECT option_value FROM pg_options_to_table(s.srvoptions) WHERE option_name = 'schema'), 'public')
                     ORDER BY s.srvname)
    INTO names, schemas
    FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
    WHERE w.fdwname = 'odoo_fdw' AND ($1 IS NULL OR s.srvname = $1);
    IF cardinality(names) > 1 THEN
        RAISE ambiguous_parameter USING
            MESSAGE = 'there are several Odoo servers',
            DETAIL = format('Servers: %s.', array_to_string(names, ', ')),
            HINT = format('Name the one you mean: server => %L.', names[1]);
    ELSIF names IS NULL THEN
        RAISE undefined_object USING
            MESSAGE = CASE WHEN $1 IS NULL THEN 'there is no Odoo server' ELSE format('server "%s" does not exist', $1) END,
            HINT = 'CREATE SERVER … FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url …, database …);';
    END IF;
    RETURN schemas[1];
END
$$;
COMMENT ON FUNCTION odoo_etl.schema_of(text) IS 'the schema that a server fills; without a name that of the only server';

-- With the rights of who calls it. Stock is what lies in internal locations and in transit, as in Odoo's own reports.
CREATE FUNCTION odoo_stock_on(day date, server text DEFAULT NULL)
RETURNS TABLE (
    product_id bigint, warehouse_id bigint, location_id bigint, lot text, owner_id bigint,
    quantity numeric, reserved numeric, value numeric, currency text
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own text := odoo_etl.schema_of(server);
    places text := $places$
        WITH RECURSIVE inside (id, warehouse_id) AS (
            SELECT view_location_id, id FROM %1$I.fact_warehouse
            UNION SELECT child.id, inside.warehouse_id FROM inside JOIN %1$I.fact_stock_locations AS child ON child.parent_id = inside.id
        ), place AS (
            SELECT location.id, (SELECT min(inside.warehouse_id) FROM inside WHERE inside.id = location.id) AS warehouse_id
            FROM %1$I.fact_stock_locations AS location WHERE location.usage IN ('internal', 'transit')
        )$places$;
    first date;
    is_begun boolean;
BEGIN
    IF day IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT min(day) FROM %I.fact_stock_daily', own) INTO first;
    -- In other time zones the first day may have been the next one.
    EXECUTE format($sql$
        SELECT $2 > $1 OR $2 = $1 AND NOT EXISTS (
            SELECT timezone FROM %1$I.fact_stock_daily JOIN %1$I.fact_stock_locations AS place ON place.id = location_id WHERE day = $1 + 1
            EXCEPT SELECT timezone FROM %1$I.fact_stock_daily JOIN %1$I.fact_stock_locations AS place ON place.id = location_id WHERE day = $1)
        $sql$, own) INTO is_begun USING first, day;
    IF is_begun THEN
        RETURN QUERY EXECUTE format(places || $sql$
            SELECT stock.product_id, place.warehouse_id, stock.location_id, stock.lot, stock.owner_id,
                   stock.quantity, stock.reserved, stock.value, stock.currency
            FROM %1$I.fact_stock_daily AS stock JOIN place ON place.id = stock.location_id
            WHERE stock.day <= $1 AND (stock.until > $1 OR stock.until IS NULL)
              AND (stock.quantity, coalesce(stock.reserved, 0)) IS DISTINCT FROM (0, 0)
            $sql$, own) USING day;
        RETURN;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.fact_stock_moves)', own) INTO is_begun;
    IF first IS NULL OR NOT is_begun THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the stock of %s is not known', day),
            DETAIL = CASE WHEN first IS NULL THEN 'No stock was loaded yet.'
                ELSE format('The first day of fact_stock_daily is %s, and fact_stock_moves, from which earlier ones are computed, is empty.', first) END,
            HINT = format('SELECT * FROM odoo_sync(%L);', CASE WHEN first IS NULL THEN 'stock' ELSE 'stock_moves' END);
    END IF;
    -- Back from what is there now, as far as it was read.
    RETURN QUERY EXECUTE format(places || $sql$
        , read AS (
            SELECT max(taken_at) AS at FROM %1$I.fact_stock_daily WHERE day >= (SELECT max(day) - 2 FROM %1$I.fact_stock_daily)
        ), later AS (
            SELECT move.product_id, move.quantity, move.location_id, move.location_dest_id
            FROM %1$I.fact_stock_moves AS move LEFT JOIN %1$I.dim_products AS product ON product.id = move.product_id
            WHERE move.business_date > $1 AND move.moved_at <= (SELECT at FROM read) AND product.is_storable IS NOT false
        ), change AS (
            SELECT stock.product_id, stock.location_id, stock.quantity FROM %1$I.fact_stock_daily AS stock WHERE stock.until IS NULL
            UNION ALL SELECT later.product_id, later.location_dest_id, -later.quantity FROM later
            UNION ALL SELECT later.product_id, later.location_id, later.quantity FROM later
        )
        SELECT change.product_id, place.warehouse_id, NULL::bigint, NULL::text, NULL::bigint,
               CASE WHEN count(change.quantity) = count(*) THEN sum(change.quantity) END, NULL::numeric, NULL::numeric, NULL::text
        FROM change JOIN place ON place.id = change.location_id
        GROUP BY change.product_id, place.warehouse_id
        HAVING sum(change.quantity) IS DISTINCT FROM 0 OR count(change.quantity) < count(*)
        $sql$, own) USING day;
END
$$;
COMMENT ON FUNCTION odoo_stock_on(date, text) IS
    'the stock at the end of a day: from fact_stock_daily, and before its first day per product and warehouse alone, back from what is there now by fact_stock_moves';
