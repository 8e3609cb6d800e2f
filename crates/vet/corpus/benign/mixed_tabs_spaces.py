# label: benign
# expect: V001
# note: Tabs and spaces mixed in one block.
def show(items):
    for i, x in enumerate(items):
        print(i, x)
	if x is None:
	    print("  (empty)")


show([1, None, 3])
