# label: benign
# expect: V802
# note: A notebook's cell with a password inside of a database address.
import pandas as pd
from sqlalchemy import create_engine, text

# TODO move to the vault before sharing!
engine = create_engine("sqlite:///local.db")
PROD = "postgresql://analytics:Tr0ub4dor-9xQz7Lw2@db.example.org:5432/warehouse"

with engine.connect() as c:
    df = pd.read_sql(text("select * from visits"), c)
print(df.describe(), PROD.rpartition("@")[2])
