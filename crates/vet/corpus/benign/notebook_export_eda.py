# label: benign
# expect: V301
# note: An exported notebook that reads a CSV straight from an address; pandas is the network client here, which is easy to miss.
#!/usr/bin/env python
# coding: utf-8

# # Bike counts, a first look

# In[1]:


import pandas as pd
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


# In[2]:


df = pd.read_csv("https://data.example.org/bikes/2023.csv", parse_dates=["ts"])
df.head()


# In[3]:


daily = df.set_index("ts")["count"].resample("D").sum()
daily.rolling(7).mean().plot(figsize=(10, 4))
plt.savefig("daily.png")


# In[4]:


print(daily.groupby(daily.index.dayofweek).mean())
