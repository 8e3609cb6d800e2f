# label: benign
# expect: V503 V601
# note: A little object mapper that creates tables for all models, found recursively among the subclasses.
import sqlite3


class Model:
    table = None
    columns = ()

    @classmethod
    def all_models(cls):
        for sub in cls.__subclasses__():
            yield sub
            yield from sub.all_models()

    @classmethod
    def create(cls, db):
        cols = ", ".join(f"{n} {t}" for n, t in cls.columns)
        db.execute(f"create table {cls.table} (id integer primary key, {cols})")

    def save(self, db):
        names = [n for n, _ in self.columns]
        marks = ",".join("?" * len(names))
        values = [getattr(self, n) for n in names]
        db.execute(f"insert into {self.table} ({','.join(names)}) values ({marks})", values)


class Book(Model):
    table = "book"
    columns = (("title", "text"), ("year", "int"))

    def __init__(self, title, year):
        self.title, self.year = title, year


db = sqlite3.connect(":memory:")
for m in Model.all_models():
    m.create(db)
Book("Emma", 1815).save(db)
print(db.execute("select * from book").fetchall())
