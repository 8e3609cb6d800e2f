# label: benign
# expect: V701
# note: Trains a classifier and loads it again with joblib from its own file.
import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
clf = RandomForestClassifier(n_estimators=50, random_state=0).fit(X_train, y_train)
joblib.dump(clf, "iris.joblib")

again = joblib.load("iris.joblib")
print(f"accuracy {again.score(X_test, y_test):.3f}")
