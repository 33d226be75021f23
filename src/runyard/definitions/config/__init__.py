"""Config of ops and resources, and the run config of a job."""
