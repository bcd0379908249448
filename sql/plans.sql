-- A page's statement is short, but costs enough for PostgreSQL to compile it: twice the time of running it.
ALTER FUNCTION odoo_sync(text, text, boolean) SET jit = off;
ALTER FUNCTION odoo_sync_all(text, boolean) SET jit = off;
ALTER FUNCTION odoo_reconcile(text, text) SET jit = off;
ALTER FUNCTION odoo_verify(text, text) SET jit = off;
