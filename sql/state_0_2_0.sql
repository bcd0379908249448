-- Tables that the first release had not: its upgrade runs this file too.

-- Models that the Odoo user may not read, though columns of a table show values of theirs, and
-- relations of a table's model by which Odoo does not search for changed records.
CREATE TABLE odoo_etl.denied (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    model text NOT NULL,
    relation text NOT NULL DEFAULT '',
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target, channel, model, relation)
);
COMMENT ON TABLE odoo_etl.denied IS 'models whose values are NULL in a table because the Odoo user may not read them, and relations whose changes are not seen because Odoo does not search by them; when it does, the table is read again';

-- The relations that each server fills, and that server, by oid: what tells a table that was moved from one that was
-- dropped, and a server from another one of its name. What a table lacks of its declaration is not tried again where an
-- engine refused it. Not dumped: elsewhere the oids are others.
CREATE TABLE odoo_etl.relations (
    server text NOT NULL,
    target text NOT NULL,
    relation oid NOT NULL,
    server_oid oid NOT NULL,
    lacks text[] NOT NULL,
    PRIMARY KEY (server, target)
);

-- Tables that have been without the trigger odoo_row_edited: somebody may have edited their rows unseen, until all of
-- them are read again.
CREATE TABLE odoo_etl.unwatched (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target, channel)
);
COMMENT ON TABLE odoo_etl.unwatched IS 'tables whose rows may have been edited unseen; for odoo_verify() they are stale until they are read again';

-- Tables that a run made and that are not loaded whole yet: they have their primary keys alone. The foreign keys and the
-- other indexes are made when all rows are there.
CREATE TABLE odoo_etl.first_loads (
    server text NOT NULL,
    target text NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target)
);
COMMENT ON TABLE odoo_etl.first_loads IS 'tables whose foreign keys and indexes are still to be made, at the end of their first load';

-- Tables whose history is kept, each in a table beside it.
CREATE TABLE odoo_etl.histories (
    server text NOT NULL,
    target text NOT NULL,
    -- Who may end it.
    role name NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target)
);
COMMENT ON TABLE odoo_etl.histories IS 'tables whose history is kept, by odoo_keep_history()';

-- Entities that are off by default, and on for a server.
CREATE TABLE odoo_etl.enabled (
    server text NOT NULL,
    target text NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target)
);
COMMENT ON TABLE odoo_etl.enabled IS 'entities that odoo_enable() turned on';

-- Tables in partitions, and how many ids each of these takes.
CREATE TABLE odoo_etl.partitions (
    server text NOT NULL,
    target text NOT NULL,
    rows bigint NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target)
);
COMMENT ON TABLE odoo_etl.partitions IS 'tables in partitions, by odoo_partition(), and how many ids each of these takes';

-- The ids of partitions that were let go, of each channel those that Odoo has given. The partition is NULL where it was
-- dropped.
CREATE TABLE odoo_etl.detached (
    server text NOT NULL,
    target text NOT NULL,
    channel text NOT NULL,
    from_id bigint NOT NULL,
    to_id bigint NOT NULL,
    partition text,
    detached_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, target, channel, from_id, to_id)
);
COMMENT ON TABLE odoo_etl.detached IS
    'ids that odoo_retain() let go, from from_id to below to_id: runs leave their records out while the partition is not attached';
-- Signals for jobs that follow: a row each, so that none waits for another. What is lost costs a few seconds, and is
-- worth no log.
CREATE UNLOGGED TABLE odoo_etl.wakes (
    server text NOT NULL,
    entity text NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT now()
);
COMMENT ON TABLE odoo_etl.wakes IS 'signals of odoo_wake() that a job which follows has not seen yet';

-- What spares Odoo a question: the fields of its models, and digests of tables that are read whole.
CREATE TABLE odoo_etl.cache (
    server text NOT NULL,
    what text NOT NULL,
    value jsonb NOT NULL,
    kept_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (server, what)
);
COMMENT ON TABLE odoo_etl.cache IS 'what spares Odoo a question; it may be emptied at any time';

SELECT pg_catalog.pg_extension_config_dump('odoo_etl.denied', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.unwatched', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.first_loads', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.histories', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.enabled', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.partitions', '');
SELECT pg_catalog.pg_extension_config_dump('odoo_etl.detached', '');
