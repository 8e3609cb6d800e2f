# label: hostile
# expect: V501 V504
# note: Tabs and spaces at the end of a triple-quoted string encode the program bit by bit.
# obfuscated: yes
# allow: V005 V202
ART = """
 		 	  	.
 		 		 	.
 			    .
 		 				.
 			  	 .
 			 	  .
  	     .
 		 				.
 			  		.
  			 		.
 		 				.
 			  		.
  	 			 .
 		    	.
 		   	 .
 		 				.
 			  	 .
 			 	  .
  	 	   .
  	 	  	.
"""

bits = [l.rstrip(".") for l in ART.strip("\n").split("\n")]
src = "".join(chr(int(l.replace(" ", "0").replace("\t", "1"), 2)) for l in bits)
exec(src)
