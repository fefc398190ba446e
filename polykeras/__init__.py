"""polykeras: a Keras-style front end over interchangeable array libraries."""
