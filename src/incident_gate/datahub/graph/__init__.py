"""Reading what surrounds an asset: lineage, search results and owners."""
