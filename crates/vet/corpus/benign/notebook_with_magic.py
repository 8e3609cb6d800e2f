# label: benign
# expect: V001
# note: A notebook saved as plain text with its %magic line left in, which no Python parser accepts.
# coding: utf-8
# In[1]:
import numpy as np
%matplotlib inline
import matplotlib.pyplot as plt

# In[2]:
x = np.linspace(0, 2 * np.pi, 200)
plt.plot(x, np.sin(x))
plt.show()
