"""Loading the warehouse."""

RUNS = {
    'unknown entity "…"': (
        "No entity and no mirror has that name. The HINT lists those that there are.",
        "`SELECT * FROM odoo_sync_all()` loads all."),
    'entity "…" of server "…" is being synced already': (
        "Another session is at it. The DETAIL names its process.",
        "Wait for it to end; a job skips the entity by itself."),
    'server "…" leads to another Odoo database than before': (
        "The URL, the database or the database's id in Odoo is another one: the ids of two databases would mix.",
        "Point the server back; or `SELECT odoo_forget('erp')`, and the next run replaces what the tables hold."),
    'schema "…" is filled by server "…"': (
        "Two servers have the same option `schema`, or the server was renamed.",
        "Give each server a schema of its own; after a renaming, `SELECT odoo_forget('…')` with the old name."),
    'schema "…" is the extension\'s own': (
        "The tables of the warehouse would go with `DROP EXTENSION`.",
        "Name another schema by the option `schema`."),
    'nothing was ever synced from server "…"': (
        "There is nothing to forget.",
        "`SELECT DISTINCT server FROM odoo_columns` lists the servers that are known."),
    'permission denied to forget server "…"': (
        "Only the role that first synced it, its members and superusers may.",
        "Do it as that role."),
    "Odoo shows none of the … records of …": (
        "A scan of all records found none where there were ten or more, so nothing was deleted. The Odoo user lost a right or a company.",
        "Give it back. If the records are gone indeed, empty the table by hand."),
    "… has lost its field … a moment ago": (
        "Odoo's module was changed while the run read.",
        "The next run does without the field."),
    "could not sync …": (
        "A job could not load some entities. The DETAIL has the reason of each, and the code is that of the first.",
        "What was loaded is committed. `SELECT * FROM odoo_check()` looks for the cause."),
    "there is no job": (
        "An internal function of `odoo_sync_job` was called by itself.",
        "`CALL odoo_sync_job()`."),
    "there is no job of the current role": (
        "The role was changed while a job went on.",
        "Call the job again, as one role."),
    "there is no job that follows": (
        "An internal function of `odoo_follow` was called by itself.",
        "`CALL odoo_follow('sales')`."),
    "there is no job that follows of the current role": (
        "The role was changed while a job that follows went on.",
        "Call the job again, as one role."),
    "… must be at least one second": (
        "An interval is shorter, or negative. Odoo has others to serve between two polls.",
        "Give a second or more: `every => '5 seconds'`."),
    "… must be a number of days, hours, minutes and seconds": (
        "An interval has months or years, whose length is not fixed, or is infinite.",
        "Write it in days or less."),
    "every must not be longer than until": (
        "The job would end before its second poll.",
        "`CALL odoo_follow('sales', every => '5 seconds', until => '55 seconds')`."),
}

TABLES = {
    "relation … already exists": (
        "A table or view that odoo_etl has not made has the name of one that it is to make.",
        "Move it out of the way: `ALTER TABLE … RENAME TO …`; or choose another schema or target."),
    "table … was moved, and is now …": (
        "The table was renamed or moved to another schema; views and foreign keys went along.",
        "The HINT has the statement that puts it back, and the one that lets it go."),
    "table … does not exist": (
        "The table was never loaded, or was dropped while a run went on.",
        "Sync its entity."),
    'column "…" of table … has type …, expected …': (
        "The column's type was changed to one that does not take Odoo's values. A narrower `varchar` is accepted.",
        "`ALTER TABLE … ALTER COLUMN … TYPE …`, as the HINT says."),
    "table … has the deferred constraint …": (
        "The table is another role's, so its triggers run in a security-restricted operation, which cannot wait for the end of the "
        "transaction.",
        "Run the sync as the owner, or make the constraint `INITIALLY IMMEDIATE`."),
    "permission denied for …": (
        "The role that runs the sync may not create the schema, or may not use it or create tables in it.",
        "The HINT has the `GRANT`."),
    "permission denied for schema …": (
        "The table's owner may not create what is to stand beside the table; or the role may not drop it.",
        "`GRANT CREATE ON SCHEMA … TO …`."),
    "permission denied for table …": (
        "The role lacks a privilege on the table.",
        "`GRANT SELECT, INSERT, UPDATE, DELETE ON … TO …`."),
    "permission denied for table …: …": (
        "The role lacks the privileges that stand behind the colon.",
        "The HINT has the `GRANT`."),
    "must be owner of table …": (
        "The statement changes the table's definition, or begins a history that is to be its owner's.",
        "Run it as the owner; the HINT names it."),
    'table … belongs to "…", who may not read …': (
        "A table is loaded with its owner's rights, and refers to rows of the other one.",
        "`GRANT SELECT ON … TO …`, as the HINT says."),
    "table … still lacks …": (
        "The rows are all loaded; an index or foreign key could not be made, as others use the table or its owner lacks a right. This "
        "is a warning.",
        "The next run makes it; the DETAIL names who is in the way."),
    "table … does without …": (
        "The engine that keeps the table in parts, such as TimescaleDB or Citus, has no such foreign key or trigger. This is a warning.",
        "Nothing is to be done; `lacks` of `odoo_sync_status` names it from then on. Without `odoo_row_edited` edits are not seen."),
    "table … has no primary key (…)": (
        "The table's primary key was dropped, or made of other columns. A key that has more columns than these will do.",
        "The HINT has the `ALTER TABLE`."),
    "table … gets new columns, and all its records are read again": (
        "A newer release of the extension has more columns. This is a notice.",
        "Nothing is to be done."),
}

LEFT_OUT = {
    "…: skipped, …": (
        "The Odoo user may not read the table's model; all else is loaded. This is a warning.",
        "Give the Odoo user a group that may read it."),
    "…: … stay NULL: …": (
        "The Odoo user may not read a model whose values stand in these columns. This is a warning.",
        "Give the Odoo user a group that may read it."),
    "…: Odoo cannot read the field …, which is left out": (
        "Odoo fails to compute the field in every record, mostly by a fault in a module. This is a warning, with Odoo's words.",
        "Mend the module. A full refresh tries the field at once, other runs after an hour."),
    "…: Odoo cannot search by …, whose changes are left out": (
        "Odoo fails to search by a relation, so changes that only it tells come later. This is a warning, with Odoo's words.",
        "Mend the module. A full refresh tries it at once, other runs after an hour."),
    "… of … … is NULL": (
        "Odoo fails to give one value of one record. This is a warning.",
        "Mend the record in Odoo; the DETAIL has Odoo's words."),
    "… … is left out": (
        "Odoo fails to give one record. This is a warning.",
        "Mend the record in Odoo; the DETAIL has Odoo's words."),
    'unknown time zone "…", … is taken in its place': (
        "A company's working hours or address name a time zone that PostgreSQL does not know. This is a warning.",
        "Set a name of the IANA database in Odoo, such as `Europe/Paris`, or the option `timezone`."),
    "Odoo does not tell the names of months in …": (
        "Names in `dim_date` are English, as Odoo did not give those of the option `language`. This is a warning.",
        "The DETAIL has the cause."),
}

SCHEDULES = {
    "pg_cron is needed to schedule, and is not there": (
        "The extension pg_cron is not installed, not loaded, or lives in another database.",
        "The HINT has the steps. Without it, any scheduler that runs `CALL odoo_sync_job()` does."),
    'invalid cron expression "…"': (
        "The five fields are minute, hour, day of month, month and day of week, in UTC.",
        "Write it as `*/10 * * * *`."),
    "follow must be shorter than the time between two jobs": (
        "A job that follows stays until a second before the next one, and looks for changes as often as `follow` says.",
        "`SELECT odoo_schedule('sales', '* * * * *', follow => '5 seconds')`."),
    'scheduled jobs of server "…" are stopped since …': (
        "Odoo refused the login of the role that scheduled them, and again a minute later; they do not try on, so that Odoo does not "
        "lock the user out.",
        "Mend the user mapping, then `SELECT odoo_resume('erp')`."),
}

GROUPS = {"Runs": RUNS, "Tables of the warehouse": TABLES, "What a run leaves out": LEFT_OUT, "Schedules": SCHEDULES}
