# label: benign
# expect: V003
# note: A data script written for polars, which is not installed here.
import polars as pl

q = (
    pl.scan_csv("trips.csv")
    .filter(pl.col("distance") > 0)
    .with_columns((pl.col("fare") / pl.col("distance")).alias("per_km"))
    .group_by("zone")
    .agg(pl.col("per_km").median(), pl.len())
    .sort("per_km", descending=True)
)
print(q.collect().head(10))
