"""The outcome: what the end of a job means for the incidents on its outputs."""
