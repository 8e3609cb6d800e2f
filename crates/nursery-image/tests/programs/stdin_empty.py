print(open(0).read() == "", input())
