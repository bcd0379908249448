"""Servers, user mappings and the extension itself."""

SERVERS = {
    "there is no Odoo server to use": (
        "No server of `odoo_fdw` exists on which the current role has `USAGE`.",
        "`CREATE SERVER`, or `GRANT USAGE ON FOREIGN SERVER erp TO …`."),
    "there is no Odoo server": (
        "The same, said by `odoo_stock_on`.",
        "`CREATE SERVER`."),
    "there are several Odoo servers": (
        "The function was not told which server is meant, and the role may use several.",
        "Name it: `server => 'erp'`."),
    'server "…" does not exist': (
        "No server of `odoo_fdw` has that name.",
        "`\\des` lists servers; names are written as they were created."),
    "permission denied for foreign server …": (
        "The role has no `USAGE` on the server.",
        "`GRANT USAGE ON FOREIGN SERVER erp TO …`."),
    "must be owner of foreign server …": (
        "`odoo_enable` and `odoo_disable` are the server owner's to call.",
        "Call them as the owner or a superuser."),
    'you have no user mapping for server "…"': (
        "Neither the current role nor `PUBLIC` has a user mapping there.",
        "`CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login '…', password '…')`."),
    'server "…" is read-only': (
        "Records of Odoo were to be changed, and the option `writable` is not set.",
        "`ALTER SERVER erp OPTIONS (ADD writable 'true')`, if you want that."),
    'invalid option "…"': (
        "The option is not known in this place. The HINT lists those that are.",
        "See [options](options.md)."),
    'option "…" is required': (
        "An option that has no default is missing.",
        "Add it."),
    'invalid value for option "…"': (
        "The DETAIL says what is wrong with the value.",
        "See [options](options.md) for what the option takes."),
    "one of password, api_key and api_key_file is required": (
        "The user mapping has a login and no secret.",
        "Add one of the three options."),
    "password, api_key and api_key_file exclude each other": (
        "The user mapping has several secrets.",
        "`ALTER USER MAPPING … OPTIONS (DROP password, ADD api_key '…')`."),
    'permission denied to set the option "…"': (
        "`ca_file` and `api_key_file` have the server read a file, which takes the privileges of `pg_read_server_files`.",
        "Use `api_key`, or ask an administrator to set the option."),
    'could not read … "…": …': (
        "The file of `ca_file` or `api_key_file` is not there, or the database's operating system user may not read it.",
        "Correct the path or the file's rights."),
    '… "…" …': (
        "The file of `ca_file` or `api_key_file` is no regular file, is too large, is empty or no text; or a secret can be read by "
        "others.",
        "The message says which. A secret: `chmod 0600`, owned by the database's operating system user."),
    'could not read the file of the option "…"': (
        "The same, told without the path to a role that may not read files of the server.",
        "Ask an administrator to run `odoo_check()`."),
    "invalid value for odoo_etl.allowed_hosts: …": (
        "The setting holds something that is neither a name nor an address nor a network.",
        "Write it as `erp.example.com, *.example.org, 10.0.0.0/8`."),
    "odoo_etl needs a database with the encoding UTF8": (
        "Odoo's texts are Unicode; this database cannot hold them.",
        "`CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`."),
    'schema "odoo_etl" already exists': (
        "`CREATE EXTENSION` makes a schema of that name for itself.",
        "Rename the one that is there."),
    'schema "odoo_etl" is open to others than superusers': (
        "Who may create objects in that schema could put others in the place of the extension's own.",
        "Give the schema to a superuser, and revoke `CREATE` on it from others."),
    "odoo_etl cannot write during recovery": (
        "This server is a standby.",
        "Run it on the primary server."),
    "odoo_etl cannot write in a read-only transaction": (
        "The transaction is read-only, perhaps by `default_transaction_read_only`.",
        "`SET transaction_read_only = off`."),
}

MIRRORS = {
    'Odoo has no model "…"': (
        "The model's name is wrong, its module is not installed, or the Odoo user may not see it.",
        "`SELECT * FROM odoo_models()` lists the models."),
    "no field of … was named that makes a column": (
        "Every field that was named is one that the engine adds itself, such as `id`.",
        "Name other fields, or none to have all."),
    'the column name "…" is one of odoo_etl\'s own': (
        "`id`, `channel`, `odoo_write_date`, `deleted_at` and `synced_at` are filled by the engine.",
        "Name another one: `odoo_add_column(…, column_name => …)`."),
    'field "…" of … is binary': (
        "Columns of the warehouse do not hold files.",
        "`odoo_read` reads the field."),
    'field "…" of … is not a single value': (
        "Beyond an x2many field the path may end in one field of text only.",
        "Mirror the model that the field leads to."),
    '… has no field "…", or the Odoo user may not read it': (
        "The field's name is wrong, or Odoo's rights hide it.",
        "`SELECT * FROM odoo_fields('res.partner')` lists the fields."),
    '"…" is no field': (
        "A field is a name, or several with dots between them.",
        "Write it as `uom_id.name`."),
    'the … name "…" …': (
        "The name of a table or a column is empty, too long, or has a NUL in it.",
        "Choose another name."),
    'the table name "…" has a dot in it': (
        "A mirror is a table of its server's schema, which is not named.",
        "Name the table alone."),
    '"…" is a name of odoo_etl\'s own': (
        "A table or an entity of the extension has that name.",
        "Name another one: `odoo_mirror(…, target => …)`."),
    'server "…" has a mirror "…" already': (
        "A mirror of that name is there.",
        "Name another target, or drop it: `SELECT odoo_mirror_drop('…')`."),
    'server "…" has a mirror "…"': (
        "An entity that was to be turned on has the name of a mirror.",
        "Drop the mirror, or do without the entity."),
    'server "…" has no mirror "…"': (
        "Nothing of that name was mirrored.",
        "`TABLE odoo_mirrors` lists them."),
    'permission denied to drop the mirror "…"': (
        "Only the role that made it, its members and superusers may.",
        "Do it as that role."),
    'the mirror "…" is scheduled': (
        "A job loads it.",
        "`SELECT odoo_unschedule('…')` first."),
    'column "…" of table "…" already exists': (
        "The table has a column of that name.",
        "Name another one by `column_name`."),
    'no column "…" was added to table "…"': (
        "`odoo_drop_column` drops columns that `odoo_add_column` added; declared ones stay.",
        "Check the name with `\\d`."),
    '"…" is the last column of the mirror "…"': (
        "A mirror without columns is of no use.",
        "`SELECT odoo_mirror_drop('…')`."),
    'the mirror "…" has a column for every field': (
        "The mirror was made without a list of fields, so the next run would make the column again.",
        "Mirror the model with a list of fields."),
    'entity "…" is off': (
        "The entity is off by default, as not everybody is to see it.",
        "The server's owner turns it on: `SELECT odoo_enable('…')`."),
    'entity "…" is on already': (
        "It was turned on before.",
        "Nothing is to be done."),
    '"…" is no entity that is off by default': (
        "Only those can be turned on and off.",
        "All others are on; a sync of one entity loads it alone."),
}

HISTORY = {
    'the history of table "…" is kept already': (
        "`odoo_keep_history` was called for it before.",
        "Nothing is to be done."),
    'server "…" keeps no history of "…"': (
        "There is none to end.",
        "`SELECT target FROM odoo_sync_status WHERE history` lists those that are kept."),
    'permission denied to end the history of table "…"': (
        "Only the role that began it, its members and superusers may.",
        "Do it as that role."),
    'table "…" is one of facts': (
        "Histories are kept of dimensions and mirrors. Rows of facts are what happened.",
        "`TABLE odoo_deleted` tells which facts are gone."),
    "table … does not exist yet": (
        "A history begins with the rows of its table, which was not loaded.",
        "Sync the entity first."),
    'the table name "…" is longer than … bytes': (
        "The history's table is named after the other one, with `_history` behind it.",
        "Mirror the model under a shorter name."),
    'table "…" has a column "…"': (
        "A history has a column of that name for itself.",
        "Have the field under another name: `odoo_add_column(…, column_name => …)`."),
    "table … does not exist, in which the history of … is kept": (
        "The history's table was dropped or moved.",
        "The next run makes it again. To keep none: `SELECT odoo_forget_history('…')`."),
    'table … belongs to "…", and … to "…"': (
        "A table and its history are written by one statement, with the rights of one owner.",
        "`ALTER TABLE … OWNER TO …`, so that both have the same."),
}

GROUPS = {"Servers, user mappings, the extension": SERVERS, "Mirrors, columns, entities": MIRRORS, "Histories": HISTORY}
