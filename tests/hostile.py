"""Settings of a session that change what PostgreSQL reads, writes and finds, all at once."""

from .lab import installations

#: How values are read and written, and what names mean.
FORMS = {
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Pacific/Chatham",
    "timezone_abbreviations": "Australia",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "xmlbinary": "hex",
    "xmloption": "document",
    "client_encoding": "SQL_ASCII",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "backslash_quote": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "search_path": "public, trap, pg_catalog",
    "row_security": "off",
    "check_function_bodies": "off",
    "default_transaction_isolation": "serializable",
    "lc_monetary": "POSIX",
    "lc_numeric": "POSIX",
    "lc_time": "POSIX",
}

#: How statements are planned and run. EXPLAIN shows it.
PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_hashagg": "off",
    "enable_indexscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "enable_material": "off",
    "geqo_threshold": "2",
    "from_collapse_limit": "1",
    "join_collapse_limit": "1",
    "debug_parallel_query" if installations.chosen().major >= 16 else "force_parallel_mode": "regress",
    "work_mem": "64kB",
    "cursor_tuple_fraction": "0.000001",
    # Paths that are off cost so much that every statement would be compiled.
    "jit": "off",
}

#: All but how psycopg2 itself reads and writes, which knows one way.
FOR_PSYCOPG2 = {**FORMS, **PLANS, "client_encoding": "UTF8", "datestyle": "ISO, DMY", "timezone": "UTC", "bytea_output": "hex",
                   "intervalstyle": "postgres"}

#: But for what takes most of the time: tables that are read whole for a row, and a process for each parallel plan.
QUICKER = {**FOR_PSYCOPG2, "enable_indexscan": "on", "enable_bitmapscan": "on", "max_parallel_workers": "0"}

#: What search_path finds before PostgreSQL's own.
TRAPS = """
CREATE SCHEMA trap;
CREATE DOMAIN trap.bytea AS text;
CREATE FUNCTION trap.format_type(oid, integer) RETURNS text LANGUAGE sql AS 'SELECT ''trapped''::text';
CREATE FUNCTION trap.to_regclass(text) RETURNS regclass LANGUAGE sql AS 'SELECT NULL::regclass';
CREATE FUNCTION trap.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''trapped''::text';
CREATE FUNCTION trap.hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''epoch''::timestamptz';
CREATE FUNCTION trap.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS 'SELECT ''0''::jsonb';
CREATE FUNCTION trap.has_table_privilege(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
GRANT USAGE ON SCHEMA trap TO PUBLIC;
"""


def beset(cluster, whom, settings):
    """Makes the settings those of the sessions to come of a role or in a database, `ROLE x`."""
    for setting, value in settings.items():
        # A list of names is one of names.
        value = value if setting == "search_path" else f"'{value}'"
        cluster.sql(f"ALTER {whom} SET {setting} = {value}")
