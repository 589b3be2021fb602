"""A deterministic simulation of a search among faults: virtual time, seeded scheduling, crashes, a service's bill."""
