"""What the selector `dbt` and the results of tests share: large JSON files, and dbt projects."""
