// Nothing to do yet: see post.js.
