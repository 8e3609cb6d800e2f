# label: benign
# expect:
# note: A minified but honest helper module, with one-letter names and semicolons.
# obfuscated: yes
import re as a,sys as b,json as c
def d(e,f=None):
 g=f or{};h=a.compile(r'\$\{(\w+)\}')
 return h.sub(lambda i:str(g.get(i.group(1),i.group(0))),e)
def j(k):
 with open(k)as l:return c.load(l)
def m(n):
 o=j(n[1]);p=b.stdin.read();b.stdout.write(d(p,o));return 0
if __name__=='__main__':b.exit(m(b.argv))
