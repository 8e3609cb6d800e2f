# label: benign
# expect: V302
# note: A small service with models, started by uvicorn.run.
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI(title="Notes")
notes: dict[int, "Note"] = {}


class Note(BaseModel):
    title: str = Field(max_length=80)
    body: str = ""


@app.post("/notes", status_code=201)
def create(note: Note) -> int:
    key = len(notes) + 1
    notes[key] = note
    return key


@app.get("/notes/{key}")
def read(key: int) -> Note:
    if key not in notes:
        raise HTTPException(404)
    return notes[key]


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=8010)
