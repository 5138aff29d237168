"""What the interop scripts share. Standard library only."""
