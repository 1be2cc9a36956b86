"""`python -m macro_assets.cli` is `macro`."""

from macro_assets.cli.main import main

main()
