"""First configurations of connectors, written from what services say of themselves.

Promises: what is written passes `esclusa check` as it stands, once its variables are set, whatever the description says;
each line that is a guess says so. Needs: a description, read by its own protocol. Emits: a text of TOML with comments.
"""
