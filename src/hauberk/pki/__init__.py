"""
Certificates and keys: requests judged, certificates signed and revoked, keys kept.

Only values go in and out; what is issued to whom is remembered by `hauberk.storage`. The one thing kept here is the managed
authority's key, a file of the state folder (`key_store`).
"""
