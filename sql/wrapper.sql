CREATE FUNCTION odoo_etl.fdw_validator(options text[], catalog oid) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'odoo_fdw_validator_wrapper';
CREATE FOREIGN DATA WRAPPER odoo_fdw HANDLER odoo_etl.fdw_handler VALIDATOR odoo_etl.fdw_validator;
