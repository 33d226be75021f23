"""What can be done to an instance, one verb a file: the command line, HTTP and the daemons all call these."""
