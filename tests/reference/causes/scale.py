"""Large tables."""

PARTITIONS = {
    "rows must be from 1 to …, not …": (
        "`rows` is how many ids each partition takes.",
        "A few millions: `CALL odoo_partition('fact_sales_lines', rows => 5000000)`."),
    'unknown table "…"': (
        "The server fills no table of that name. The HINT lists those that may be in partitions.",
        "Write one of these."),
    "table … is a dimension, which is not partitioned": (
        "Facts, mirrors and histories grow with time; dimensions do not.",
        "The HINT lists the tables that may be in partitions."),
    "the first load of table … has not ended": (
        "Its foreign keys and indexes are still to be made, or it is to be let go of before all of it was read.",
        "Run its entity until it has ended. For `odoo_partition` the table may be dropped too: the next run makes it in partitions."),
    "table … cannot become a partition": (
        "Something depends on it that cannot be made again for the new table by itself, such as a materialized view; belongs to another role; or the "
        "table is a part of something else. The DETAIL names it.",
        "Drop it, and make it again afterwards; or run the call as a superuser."),
    "table … is in use": (
        "Others read or write it in transactions that lasted for more than five seconds. The DETAIL names their processes.",
        "Call again; what was done before stays."),
    "table … lacks a partition for the ids …": (
        "A run needs a partition, and others keep it from being made; or the owner of the table may not make tables. The DETAIL has the reason. As a "
        "warning: the partition was to be made ahead.",
        "The next run makes it."),
    "table … is gone": (
        "It was dropped while a run loaded it.",
        "The next run makes it again."),
}

RETENTION = {
    'entity "…" has no table with a …': (
        "Rows are kept by their business date. The HINT lists the entities that have one.",
        "Name one of these."),
    'no table of entity "…" has partitions': (
        "Retention detaches partitions.",
        "`CALL odoo_partition(…)` for its tables, as the HINT says."),
    "keep must be positive": (
        "It is how long rows are kept.",
        "`SELECT * FROM odoo_retain('sales', '5 years')`."),
}

GROUPS = {"Large tables": PARTITIONS, "Retention": RETENTION}
