# label: benign
# expect: V302
# note: A small web application whose app.run listens; the listening is in a framework's method.
from flask import Flask, jsonify, request

app = Flask(__name__)
todos = []


@app.get("/todos")
def index():
    return jsonify(todos)


@app.post("/todos")
def create():
    item = {"id": len(todos) + 1, "text": request.get_json()["text"], "done": False}
    todos.append(item)
    return jsonify(item), 201


@app.errorhandler(404)
def missing(_):
    return jsonify(error="not found"), 404


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=5000)
