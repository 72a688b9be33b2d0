"""What the faults share with the acceptance tests: which tests run with which stores."""

pytest_plugins = ["lanes"]
