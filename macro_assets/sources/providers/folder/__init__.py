"""Files of the user's own: a folder of them as a source, and how one file is read."""

from macro_assets.sources.providers.folder.connector import client, fingerprint, plan

__all__ = ["client", "fingerprint", "plan"]
