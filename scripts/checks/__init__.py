"""The rules behind `make check`. Each rule carries the samples that it must catch and those that it must let pass."""
