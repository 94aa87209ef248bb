"""`python -m propolis.cli`, the same as `propolis`."""

from propolis.cli import main

if __name__ == "__main__":
    main()
