CREATE FUNCTION odoo_search(
    model text, domain odoo_domain DEFAULT '[]', order_by text DEFAULT 'id', max_rows bigint DEFAULT NULL,
    skip_rows bigint DEFAULT NULL, server text DEFAULT NULL, context jsonb DEFAULT NULL
) RETURNS SETOF bigint
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_search_wrapper';
COMMENT ON FUNCTION odoo_search(text, odoo_domain, text, bigint, bigint, text, jsonb) IS
    'ids of the records of an Odoo model that meet a domain, archived ones included';

CREATE FUNCTION odoo_count(
    model text, domain odoo_domain DEFAULT '[]', server text DEFAULT NULL, context jsonb DEFAULT NULL
) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_count_wrapper';
COMMENT ON FUNCTION odoo_count(text, odoo_domain, text, jsonb) IS
    'number of records of an Odoo model that meet a domain, archived ones included';

CREATE FUNCTION odoo_read(
    model text, domain odoo_domain DEFAULT '[]', fields text[] DEFAULT NULL, max_rows bigint DEFAULT NULL,
    skip_rows bigint DEFAULT NULL, order_by text DEFAULT 'id', server text DEFAULT NULL, context jsonb DEFAULT NULL
) RETURNS TABLE (id bigint, data jsonb)
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_read_wrapper';
COMMENT ON FUNCTION odoo_read(text, odoo_domain, text[], bigint, bigint, text, text, jsonb) IS
    'records of an Odoo model that meet a domain, archived ones included, each as Odoo returns it';

CREATE FUNCTION odoo_fields(model text, server text DEFAULT NULL)
RETURNS TABLE (
    name text, type text, label text, relation text, required boolean, stored boolean, readonly boolean,
    company_dependent boolean, selection jsonb, help text
)
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_fields_wrapper';
COMMENT ON FUNCTION odoo_fields(text, text) IS 'fields of an Odoo model that the user may read';

CREATE FUNCTION odoo_models(server text DEFAULT NULL)
RETURNS TABLE (model text, name text)
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_models_wrapper';
COMMENT ON FUNCTION odoo_models(text) IS 'models of Odoo that the user may read';

CREATE FUNCTION odoo_create(model text, field_values jsonb, server text DEFAULT NULL) RETURNS SETOF bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_create_wrapper';
COMMENT ON FUNCTION odoo_create(text, jsonb, text) IS
    'makes records in Odoo, from an object or an array of them, and returns their ids; a rollback does not undo it';

CREATE FUNCTION odoo_write(model text, ids bigint[], field_values jsonb, server text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_write_wrapper';
COMMENT ON FUNCTION odoo_write(text, bigint[], jsonb, text) IS
    'gives records in Odoo new values; a rollback does not undo it';

CREATE FUNCTION odoo_unlink(model text, ids bigint[], server text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_unlink_wrapper';
COMMENT ON FUNCTION odoo_unlink(text, bigint[], text) IS
    'deletes records in Odoo; a rollback does not undo it';

CREATE FUNCTION odoo_call(
    model text, method text, args jsonb DEFAULT '[]', kwargs jsonb DEFAULT '{}', server text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_call_wrapper';
COMMENT ON FUNCTION odoo_call(text, text, jsonb, jsonb, text) IS
    'calls a public method of an Odoo model, on the records that "ids" in kwargs names; a rollback does not undo it. '
    'Over XML-RPC a result that holds None is NULL';

CREATE FUNCTION odoo_connections()
RETURNS TABLE (
    server_name text, user_name text, login text, protocol text, since timestamptz, used_in_xact boolean
)
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_connections_wrapper';
COMMENT ON FUNCTION odoo_connections() IS
    'logins to Odoo servers that this session keeps, for roles whose rights the current user has';

CREATE FUNCTION odoo_disconnect(server text) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_disconnect_wrapper';
COMMENT ON FUNCTION odoo_disconnect(text) IS
    'forgets the logins to a server that this session keeps, and closes their connections; false if there was none';

CREATE FUNCTION odoo_disconnect_all() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'odoo_disconnect_all_wrapper';
COMMENT ON FUNCTION odoo_disconnect_all() IS
    'forgets all logins to Odoo servers that this session keeps, and closes their connections; false if there was none';
