"""The end-to-end benchmarks of `./dev bench`: cases, brokers, runs and the tables of docs/performance.md."""
