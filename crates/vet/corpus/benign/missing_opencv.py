# label: benign
# expect: V003
# note: Honest image code for a library that the environment lacks.
import sys

import cv2
import numpy as np

img = cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE)
edges = cv2.Canny(img, 80, 160)
print(edges.shape, int(np.count_nonzero(edges)))
cv2.imwrite("edges.png", edges)
