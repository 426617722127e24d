"""Where the work runs: processes of this machine, a Ray cluster, or SLURM arrays."""
