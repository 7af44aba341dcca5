"""Small servers that do the same long poll as Kodama, each in another library's plain style."""
