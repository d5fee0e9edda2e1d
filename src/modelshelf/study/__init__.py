"""The paper's tables and figures, recomputed from any catalogue; one module each."""
