"""DataHub Incident Gate: stops a workflow while its inputs have active incidents in DataHub."""

__version__ = "0.1.0"
