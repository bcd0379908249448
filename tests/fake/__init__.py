"""A fake Odoo that speaks the real XML-RPC and misbehaves on demand.

What it does is chosen by the URL's path, so that plain SQL can choose: in
`http://127.0.0.1:PORT/rows=5000/stall@read` it has 5,000 products and never answers `read`.
"""
