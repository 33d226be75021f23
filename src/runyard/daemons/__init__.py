"""The daemons, one file each; ``service`` holds what they share."""
