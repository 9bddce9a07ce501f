"""How several people's answers become one, and how sure that is: mathematics alone, without tasks or a database."""
