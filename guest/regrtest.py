# Runs one module of CPython's own regression tests, as `python3 -m test` does.
# The guard is for multiprocessing, which imports this file anew in each child that it spawns.
if __name__ == "__main__":
    from test.libregrtest.main import main

    main()
