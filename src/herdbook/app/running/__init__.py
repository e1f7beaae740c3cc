"""What lies behind runs: the process that outlives the app, and what Snakemake prints."""
