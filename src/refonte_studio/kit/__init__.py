"""What every room may use and no room owns: caller, clock, ids, errors, pages. No business words."""
