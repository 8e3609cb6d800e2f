# label: hostile
# expect: V203 V501 V504
# note: exec is never called: it is given to a thread as its target, with decoded arguments.
# obfuscated: yes
# allow: V202
import base64
import threading

job = base64.b32decode("NFWXA33SOQQG64Z3EBXXGLTLNFWGYKDPOMXGOZLUOBYGSZBIFEWCAMBJ")
threading.Thread(target=exec, args=(job, {})).start()
